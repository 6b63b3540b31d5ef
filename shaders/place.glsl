// Where a patch lies, its growth about the centre of the crop included. Pixel centres lie at whole numbers.
uniform mat3x2 frame_from_crop;
uniform mat3x2 crop_from_frame;
uniform int size_px;
uniform float u_face_scale;

vec2 frame_at(vec2 crop) {
    vec2 centre = vec2(0.5 * float(size_px - 1));
    return frame_from_crop * vec3(centre + (crop - centre) * u_face_scale, 1.0);
}

vec2 crop_at(vec2 frame) {
    vec2 centre = vec2(0.5 * float(size_px - 1));
    return centre + (crop_from_frame * vec3(frame, 1.0) - centre) / u_face_scale;
}
