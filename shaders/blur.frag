// Low frequencies, second and third step: Gaussians along one axis, then along the other and into the lighting ratio.
// A wide one tells of the light on the face, a narrow one of that of the place. Around the cells lie BLUR_RADIUS zeros, so
// that no tap needs a look at the border.
uniform sampler2D bright_cells, dark_cells;

#ifdef RATIO
uniform sampler2D bright_near, dark_near, bright_raw, dark_raw;
uniform float u_highlights;
layout(location = 0) out vec4 ratio;
const ivec2 ALONG = ivec2(0, 1);
const ivec2 BORDER = ivec2(BLUR_RADIUS);
#else
layout(location = 0) out vec4 bright;
layout(location = 1) out vec4 dark;
layout(location = 2) out vec4 bright_here;
layout(location = 3) out vec4 dark_here;
#define bright_near bright_cells
#define dark_near dark_cells
const ivec2 ALONG = ivec2(1, 0);
const ivec2 BORDER = ivec2(0);
#endif

#ifdef RATIO
// The lighting ratio, from the low frequencies of camera and swap.
vec3 bounded(vec3 wanted, vec3 given) {
    return clamp(wanted / given, GAIN_LOW, GAIN_HIGH);
}

// What lies on the wearer's skin brighter than the light around it, and is not as bright on the source's: in its colour.
vec3 highlight(ivec2 cell, vec3 wanted, vec3 given, float rim) {
    vec4 bright = texelFetch(bright_raw, cell, 0);
    if (bright.a <= 0.0) {
        return vec3(1.0);
    }
    vec3 target = bright.rgb / bright.a + RELIGHT_FLOOR, own = texelFetch(dark_raw, cell, 0).rgb / bright.a;
    float seen = dot(target, LUMA) / dot(wanted, LUMA);
    float there = max(dot(own + RELIGHT_FLOOR, LUMA) / dot(given, LUMA), 1.0);
    float excess = clamp(seen - there - HIGHLIGHT_FROM, 0.0, HIGHLIGHT_MOST);
    float part = u_highlights * bright.a * (1.0 - rim) * excess / max(seen - 1.0, HIGHLIGHT_FROM);
    return max(1.0 + part * (target / wanted - 1.0), 1.0);
}
#endif

void main() {
    ivec2 cell = ivec2(gl_FragCoord.xy) + BORDER;
    vec4 light = vec4(0.0), own = vec4(0.0);
    for (int k = -BLUR_RADIUS; k <= BLUR_RADIUS; ++k) {
        float share = KERNEL[k + BLUR_RADIUS];
        light += share * texelFetch(bright_cells, cell + k * ALONG, 0);
        own += share * texelFetch(dark_cells, cell + k * ALONG, 0);
    }
    vec4 light_here = vec4(0.0), own_here = vec4(0.0);
    for (int k = -RIM_RADIUS; k <= RIM_RADIUS; ++k) {
        float share = RIM_KERNEL[k + RIM_RADIUS];
        light_here += share * texelFetch(bright_near, cell + k * ALONG, 0);
        own_here += share * texelFetch(dark_near, cell + k * ALONG, 0);
    }
    // How much the light of the place itself counts is not blurred.
    float rim = texelFetch(dark_near, cell, 0).a;
#ifdef RATIO
    vec3 far_light = light.rgb / (light.a + FEW), far_own = own.rgb / (light.a + FEW);
    vec3 near_light = (light_here.rgb + FEW * far_light) / (light_here.a + FEW);
    vec3 near_own = (own_here.rgb + FEW * far_own) / (light_here.a + FEW);
    vec3 wanted = far_light + RELIGHT_FLOOR, given = far_own + RELIGHT_FLOOR;
    // Paleness within OWN_PALENESS is the source's own skin, unless it is dark; colour is the scene's.
    float lightness = dot(wanted, LUMA);
    float most = mix(1.0, OWN_PALENESS, clamp((lightness - DIM_DARK) / (DIM_LIGHT - DIM_DARK), 0.0, 1.0));
    float tone = clamp(lightness / dot(given, LUMA), 1.0 / most, 1.0);
    vec3 inner = bounded(wanted / tone, given);
    vec3 lit = mix(inner, bounded(near_light + RELIGHT_FLOOR, near_own + RELIGHT_FLOOR), rim);
    ratio = vec4(lit * highlight(cell, wanted, given, rim), 1.0);
#else
    bright = light;
    dark = own;
    bright_here = light_here;
    dark_here = vec4(own_here.rgb, rim);
#endif
}
