"""Keep the large weights of an ONNX model as float16: half the file, while every computation stays in float32.

ONNX Runtime casts constants once, when it loads the model: a run costs what it did. Needs `onnx`.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_LEAST = 1024
"""Elements: below it a Cast node costs about what it saves."""


def halve_weights(model: onnx.ModelProto) -> int:
    """Store in place every large float32 constant as float16, with a Cast to float32 behind it.

    A value beyond float16's range leaves its constant as it is.

    Returns:
        How many constants were halved.
    """
    graph, casts = model.graph, list[onnx.NodeProto]()
    for constant in graph.initializer:
        if constant.data_type != TensorProto.FLOAT:
            continue
        whole = numpy_helper.to_array(constant)
        if whole.size < _LEAST or not np.abs(whole).max() <= np.finfo(np.float16).max:
            continue
        name = constant.name
        constant.CopyFrom(numpy_helper.from_array(whole.astype(np.float16), f"{name}_half"))
        casts.append(helper.make_node("Cast", [constant.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return len(casts)
