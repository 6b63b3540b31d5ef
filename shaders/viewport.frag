#version 330 core
// The picture after the swap; left of the wipe line, the one before it.

uniform sampler2D u_before;
uniform sampler2D u_after;
uniform float u_wipe;      // 0..1 across the picture as shown; 0 shows only `after`
uniform float u_mirrored;  // 1: as a mirror shows it
uniform float u_shrunk;    // 1: four samples a pixel, or fine patterns shimmer

in vec2 v_at;
out vec4 o_colour;

vec3 area(sampler2D picture, vec2 at, vec2 right, vec2 down) {
    if (u_shrunk < 0.5) return texture(picture, at).rgb;
    return 0.25 * (texture(picture, at - right - down).rgb + texture(picture, at + right - down).rgb +
                   texture(picture, at - right + down).rgb + texture(picture, at + right + down).rgb);
}

void main() {
    vec2 at = vec2(mix(v_at.x, 1.0 - v_at.x, u_mirrored), v_at.y);
    vec2 right = dFdx(at) * 0.25;
    vec2 down = dFdy(at) * 0.25;
    vec3 shown = v_at.x < u_wipe ? area(u_before, at, right, down) : area(u_after, at, right, down);
    o_colour = vec4(shown, 1.0);
}
