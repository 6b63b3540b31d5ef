"""The built-in engine: a source face warped over the target's mesh. Needs no model beyond the mesh itself."""

from facefusion_live.adapters.mesh_swap.swapper import MeshSwapper

__all__ = ["MeshSwapper"]
