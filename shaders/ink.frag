// The finished patch. Over the picture pixel by pixel it is drawn at once; else it goes into a texture of its own.
out vec4 ink;

uniform ivec2 shift;

void main() {
    ink = ink_of(ivec2(gl_FragCoord.xy) - shift);
}
