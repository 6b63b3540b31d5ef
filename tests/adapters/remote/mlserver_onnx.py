"""Runs in the server's own environment, not in the tests': MLServer with ONNX Runtime behind it."""

import numpy as np
import onnxruntime as ort
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse, MetadataTensor


class OnnxModel(MLModel):
    """An ONNX file, as the model's settings name it."""

    async def load(self) -> bool:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = ort.InferenceSession(self.settings.parameters.uri, options, providers=["CPUExecutionProvider"])
        self.inputs = [_described(node) for node in self._session.get_inputs()]
        self.outputs = [_described(node) for node in self._session.get_outputs()]
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        fed = {tensor.name: NumpyCodec.decode_input(tensor) for tensor in payload.inputs}
        names = [node.name for node in self._session.get_outputs()]
        answers = self._session.run(names, fed)
        outputs = [
            NumpyCodec.encode_output(name, np.asarray(answer)) for name, answer in zip(names, answers, strict=True)
        ]
        return InferenceResponse(model_name=self.name, model_version=self.version, outputs=outputs)


_DATATYPES = {"tensor(float)": "FP32", "tensor(float16)": "FP16", "tensor(double)": "FP64", "tensor(int64)": "INT64"}


def _described(node: ort.NodeArg) -> MetadataTensor:
    shape = [edge if isinstance(edge, int) else -1 for edge in node.shape]
    return MetadataTensor(name=node.name, datatype=_DATATYPES[node.type], shape=shape)
