// The swap, mixed with its enhanced version and relit, and beside it how much it has to say at each pixel.
out vec4 light;

uniform sampler2D regions, coverage, gain;
uniform int size_px;
uniform bool has_coverage;
uniform float u_match, u_opacity;
uniform float u_feather, u_padding, u_erosion;
uniform float u_keep_eyes, u_keep_mouth, u_keep_brows;

vec3 gain_at(ivec2 crop) {
    vec2 at = clamp((vec2(crop) + 0.5) * float(GRID) / float(size_px) - 0.5, vec2(0.0), vec2(GRID - 1));
    ivec2 low = min(ivec2(at), ivec2(GRID - 2));
    vec2 part = at - vec2(low);
    vec3 above = mix(texelFetch(gain, low, 0).rgb, texelFetch(gain, low + ivec2(1, 0), 0).rgb, part.x);
    vec3 below = mix(texelFetch(gain, low + ivec2(0, 1), 0).rgb, texelFetch(gain, low + 1, 0).rgb, part.x);
    return 1.0 + (mix(above, below, part.y) - 1.0) * u_match;
}

float share_at(ivec2 crop) {
    vec4 distance = (levels(texelFetch(regions, crop, 0)) - EDGE_LEVEL) * DISTANCE_STEP;
    float inset = u_erosion - u_padding;
    float share = rise(inset - 0.5 * u_feather, inset + 0.5 * u_feather, distance.r) * u_opacity;
    share *= 1.0 - u_keep_eyes * rise(-KEEP_SOFTNESS, KEEP_SOFTNESS, distance.g);
    share *= 1.0 - u_keep_mouth * rise(-KEEP_SOFTNESS, KEEP_SOFTNESS, distance.b);
    share *= 1.0 - u_keep_brows * rise(-KEEP_SOFTNESS, KEEP_SOFTNESS, distance.a);
    return has_coverage ? share * texelFetch(coverage, crop, 0).r : share;
}

void main() {
    ivec2 crop = ivec2(gl_FragCoord.xy);
    light = vec4(clamp(mixed_at(crop) * gain_at(crop), 0.0, 1.0), share_at(crop));
}
