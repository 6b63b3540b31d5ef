// The finished patch at one pixel, premultiplied: the relit swap, sharpened, times its share.
uniform sampler2D light;
uniform int size_px;
uniform float u_sharpness;

vec4 ink_of(ivec2 crop) {
    ivec2 last = ivec2(size_px - 1);
    vec4 here = texelFetch(light, crop, 0);
#ifdef SHARPENED
    vec3 soft = 4.0 * here.rgb;
    ivec2 low = max(crop - 1, ivec2(0)), high = min(crop + 1, last);
    soft += 2.0 * texelFetch(light, ivec2(low.x, crop.y), 0).rgb;
    soft += 2.0 * texelFetch(light, ivec2(high.x, crop.y), 0).rgb;
    soft += 2.0 * texelFetch(light, ivec2(crop.x, low.y), 0).rgb;
    soft += 2.0 * texelFetch(light, ivec2(crop.x, high.y), 0).rgb;
    soft += texelFetch(light, low, 0).rgb + texelFetch(light, high, 0).rgb;
    soft += texelFetch(light, ivec2(low.x, high.y), 0).rgb + texelFetch(light, ivec2(high.x, low.y), 0).rgb;
    here.rgb = clamp(here.rgb + u_sharpness * (here.rgb - soft / 16.0), 0.0, 1.0);
#endif
    return vec4(here.rgb * here.a, here.a);
}
