// A finished patch drawn where the picture's pixels and its own do not meet: bilinear, by hand, because filters of
// graphics cards know 256 steps between two pixels and would be a level off.
out vec4 colour;

uniform sampler2D ink;
uniform ivec4 box;

vec4 ink_or_clear(ivec2 crop) {
    bool inside = all(greaterThanEqual(crop, box.xy)) && all(lessThan(crop, box.zw));
    return inside ? texelFetch(ink, clamp(crop, box.xy, box.zw - 1), 0) : vec4(0.0);
}

void main() {
    vec2 at = crop_at(gl_FragCoord.xy - 0.5);
    ivec2 low = ivec2(floor(at));
    vec2 part = at - vec2(low);
    vec4 above = mix(ink_or_clear(low), ink_or_clear(low + ivec2(1, 0)), part.x);
    vec4 below = mix(ink_or_clear(low + ivec2(0, 1)), ink_or_clear(low + 1), part.x);
    colour = mix(above, below, part.y);
}
