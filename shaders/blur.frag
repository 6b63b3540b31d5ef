// Low frequencies, second and third step: a Gaussian along one axis, then along the other and into the lighting ratio.
// Around the cells lie BLUR_RADIUS zeros, so that no tap needs a look at the border.
uniform sampler2D bright_cells, dark_cells;

#ifdef RATIO
layout(location = 0) out vec4 ratio;
const ivec2 ALONG = ivec2(0, 1);
const ivec2 BORDER = ivec2(BLUR_RADIUS);
#else
layout(location = 0) out vec4 bright;
layout(location = 1) out vec4 dark;
const ivec2 ALONG = ivec2(1, 0);
const ivec2 BORDER = ivec2(0);
#endif

void main() {
    ivec2 cell = ivec2(gl_FragCoord.xy) + BORDER;
    vec4 light = vec4(0.0), own = vec4(0.0);
    for (int k = -BLUR_RADIUS; k <= BLUR_RADIUS; ++k) {
        float share = KERNEL[k + BLUR_RADIUS];
        light += share * texelFetch(bright_cells, cell + k * ALONG, 0);
        own += share * texelFetch(dark_cells, cell + k * ALONG, 0);
    }
#ifdef RATIO
    float spread = light.a + 1e-3;
    vec3 wanted = light.rgb / spread + RELIGHT_FLOOR, given = own.rgb / spread + RELIGHT_FLOOR;
    // Lightness within OWN_TONE is the source's own skin; colour is the scene's.
    float tone = clamp(dot(wanted, LUMA) / dot(given, LUMA), 1.0 / OWN_TONE, OWN_TONE);
    ratio = vec4(clamp(wanted / given / tone, GAIN_LOW, GAIN_HIGH), 1.0);
#else
    bright = light;
    dark = own;
#endif
}
