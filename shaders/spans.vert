// Covers, row by row of cells, what of a patch can show: a face fills little more than half of the square around it.
uniform ivec2 spans[GRID];
uniform int first_row;
uniform int cell_px;
uniform ivec2 origin;
uniform ivec2 extent;

void main() {
    int row = first_row + gl_InstanceID;
    ivec2 cell = ivec2((gl_VertexID & 1) == 0 ? spans[row].x : spans[row].y, row + (gl_VertexID >> 1));
    gl_Position = vec4(vec2(origin + cell * cell_px) / vec2(extent) * 2.0 - 1.0, 0.0, 1.0);
}
