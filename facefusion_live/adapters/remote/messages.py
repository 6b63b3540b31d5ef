# pyright: basic
"""What is said in the Open Inference Protocol, as far as it is said here.

Source: the protocol's gRPC service `inference.GRPCInferenceService`, from which names and numbers of fields are taken.
The messages are built at run time in a pool of their own: nothing is generated, so nothing is tied to one version of
protobuf, and another client of the protocol in the same process does not collide with them.
"""

from types import MappingProxyType
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_PACKAGE = "facefusion_live.inference"
_KINDS = MappingProxyType(
    {
        "bool": descriptor_pb2.FieldDescriptorProto.TYPE_BOOL,
        "bytes": descriptor_pb2.FieldDescriptorProto.TYPE_BYTES,
        "double": descriptor_pb2.FieldDescriptorProto.TYPE_DOUBLE,
        "float": descriptor_pb2.FieldDescriptorProto.TYPE_FLOAT,
        "int32": descriptor_pb2.FieldDescriptorProto.TYPE_INT32,
        "int64": descriptor_pb2.FieldDescriptorProto.TYPE_INT64,
        "string": descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
        "uint32": descriptor_pb2.FieldDescriptorProto.TYPE_UINT32,
    }
)
_MESSAGES = MappingProxyType(
    {
        "ServerMetadataRequest": "",
        "ServerMetadataResponse": "name=1:string version=2:string extensions=3:string*",
        "ModelReadyRequest": "name=1:string version=2:string",
        "ModelReadyResponse": "ready=1:bool",
        "ModelMetadataRequest": "name=1:string version=2:string",
        "TensorMetadata": "name=1:string datatype=2:string shape=3:int64*",
        "ModelMetadataResponse": (
            "name=1:string versions=2:string* platform=3:string inputs=4:TensorMetadata* outputs=5:TensorMetadata*"
        ),
        "Contents": (
            "int_contents=2:int32* int64_contents=3:int64* uint_contents=4:uint32* fp32_contents=6:float*"
            " fp64_contents=7:double*"
        ),
        "Tensor": "name=1:string datatype=2:string shape=3:int64* contents=5:Contents",
        "RequestedOutput": "name=1:string",
        "ModelInferRequest": (
            "model_name=1:string model_version=2:string inputs=5:Tensor* outputs=6:RequestedOutput*"
            " raw_input_contents=7:bytes*"
        ),
        "ModelInferResponse": (
            "model_name=1:string model_version=2:string outputs=5:Tensor* raw_output_contents=6:bytes*"
        ),
    }
)
"""Each message: name=number:kind, with a star where there are several. Fields left out are skipped when they come."""


def _field(text: str) -> descriptor_pb2.FieldDescriptorProto:
    name, _, rest = text.partition("=")
    number, _, kind = rest.partition(":")
    one, many = descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL, descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED
    field = descriptor_pb2.FieldDescriptorProto(
        name=name, number=int(number), label=many if kind.endswith("*") else one
    )
    kind = kind.removesuffix("*")
    if kind in _KINDS:
        field.type = _KINDS[kind]
    else:
        field.type, field.type_name = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
    return field


def _built() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="inference.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        file.message_type.add(name=name, field=[_field(each) for each in fields.split()])
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in _MESSAGES
    }


_CLASSES = _built()
ServerMetadataRequest = _CLASSES["ServerMetadataRequest"]
ServerMetadataResponse = _CLASSES["ServerMetadataResponse"]
ModelReadyRequest = _CLASSES["ModelReadyRequest"]
ModelReadyResponse = _CLASSES["ModelReadyResponse"]
ModelMetadataRequest = _CLASSES["ModelMetadataRequest"]
ModelMetadataResponse = _CLASSES["ModelMetadataResponse"]
ModelInferRequest = _CLASSES["ModelInferRequest"]
ModelInferResponse = _CLASSES["ModelInferResponse"]
