// The swap, mixed with its enhanced version where there is one.
uniform sampler2D swap;
#ifdef ENHANCED
uniform sampler2D enhanced;
uniform float u_enhance;
#endif

vec3 mixed_at(ivec2 crop) {
    vec3 colour = texelFetch(swap, crop, 0).rgb;
#ifdef ENHANCED
    colour = mix(colour, texelFetch(enhanced, crop, 0).rgb, u_enhance);
#endif
    return colour;
}
