#version 330 core
// One rectangle: where the picture lies in the viewport.

uniform vec4 u_box;  // left, top, width, height; the viewport is 0..1, downward

out vec2 v_at;  // 0..1 across the picture as shown

void main() {
    v_at = vec2(gl_VertexID & 1, gl_VertexID >> 1);
    vec2 place = u_box.xy + v_at * u_box.zw;
    gl_Position = vec4(place.x * 2.0 - 1.0, 1.0 - place.y * 2.0, 0.0, 1.0);
}
