// What was drawn, for the gate: the share in the middle of each cell, and the number of the picture it belongs to.
out vec4 proof;

uniform sampler2D light;
uniform int step_px;
uniform float serial;

void main() {
    ivec2 crop = ivec2(gl_FragCoord.xy) * step_px + step_px / 2;
    proof = vec4(texelFetch(light, crop, 0).a, serial, 0.0, 0.0);
}
