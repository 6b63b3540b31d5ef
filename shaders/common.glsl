// What every pass knows. The constants before this file come from domain/blend.py; uniforms that begin with u_ are
// parameters of the table of settings, and their names stand there.

// A smooth rise from `low` to `high`; a step at `low` where both are equal.
float rise(float low, float high, float x) {
    if (high <= low) {
        return x >= low ? 1.0 : 0.0;
    }
    float t = clamp((x - low) / (high - low), 0.0, 1.0);
    return t * t * (3.0 - 2.0 * t);
}

// What 8 bits stored, as the whole number it was.
vec4 levels(vec4 stored) {
    return floor(stored * 255.0 + 0.5);
}
