// The part of a patch that shows, with the pixel around it in which it fades out, where it lies in the picture.
uniform ivec2 video_size;
uniform ivec4 box;

void main() {
    vec2 corner = mix(vec2(box.xy) - 1.0, vec2(box.zw), vec2(gl_VertexID & 1, gl_VertexID >> 1));
    gl_Position = vec4((frame_at(corner) + 0.5) / vec2(video_size) * 2.0 - 1.0, 0.0, 1.0);
}
