// Low frequencies, first step: the mean of each cell of camera and swap, weighted by how much it says about the light.
layout(location = 0) out vec4 bright;
layout(location = 1) out vec4 dark;

uniform sampler2D video, regions, coverage;
uniform ivec2 video_size;
uniform ivec2 shift;
uniform int step_px;
uniform bool has_coverage;
uniform float u_padding, u_erosion;

vec3 target_at(ivec2 crop) {
#ifdef ALIGNED
    return texelFetch(video, clamp(crop + shift, ivec2(0), video_size - 1), 0).rgb;
#else
    vec2 at = clamp(frame_at(vec2(crop)), vec2(0.0), vec2(video_size - 1));
    ivec2 low = ivec2(at);
    ivec2 high = min(low + 1, video_size - 1);
    vec2 part = at - vec2(low);
    vec3 above = mix(texelFetch(video, low, 0).rgb, texelFetch(video, ivec2(high.x, low.y), 0).rgb, part.x);
    vec3 below = mix(texelFetch(video, ivec2(low.x, high.y), 0).rgb, texelFetch(video, high, 0).rgb, part.x);
    return mix(above, below, part.y);
#endif
}

void main() {
    ivec2 first = (ivec2(gl_FragCoord.xy) - BLUR_RADIUS) * step_px;
    vec3 target = vec3(0.0), mixed = vec3(0.0);
    vec4 region = vec4(0.0);
    float covered = 0.0;
    for (int y = 0; y < step_px; ++y) {
        for (int x = 0; x < step_px; ++x) {
            ivec2 crop = first + ivec2(x, y);
            target += target_at(crop);
            mixed += mixed_at(crop);
            region += texelFetch(regions, crop, 0);
            covered += has_coverage ? texelFetch(coverage, crop, 0).r : 1.0;
        }
    }
    float pixels = float(step_px * step_px);
    // Hull, eyes and mouth: skin inside the hull tells of the light.
    vec3 inside = clamp(levels(region / pixels).xyz - EDGE_LEVEL, -8.0, 8.0) / 16.0 + 0.5;
    float weight = inside.x * (1.0 - inside.y) * (1.0 - inside.z);
    weight *= levels(vec4(covered / pixels)).x / 255.0;
    bright = vec4(levels(vec4(target / pixels, 0.0)).rgb * weight, weight);
    // How much the light of the place itself counts: told from one pixel, since means are rounded in many ways.
    float hull = levels(texelFetch(regions, first + step_px / 2, 0)).x;
    float edge = u_erosion - u_padding;
    float rim = 1.0 - rise(edge + RIM_WHOLE, edge + RIM_NOTHING, (hull - EDGE_LEVEL) * DISTANCE_STEP);
    dark = vec4(levels(vec4(mixed / pixels, 0.0)).rgb * weight, rim);
}
