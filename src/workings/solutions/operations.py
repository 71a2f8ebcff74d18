"""Which function of torch is which operation, by name, and which are none: they ask a tensor, and make no numbers."""

from __future__ import annotations

from typing import Any

NO_OPERATION = frozenset(
    "size dim __len__ numel nelement is_floating_point is_complex stride storage_offset is_contiguous requires_grad_ "
    "requires_grad.get shape.get ndim.get dtype.get device.get is_leaf.get grad_fn.get grad.get layout.get "
    "is_nested.get "
    "is_cuda.get is_quantized.get is_mkldnn.get is_sparse.get is_meta.get names.get retain_grad register_hook backward "
    "item tolist __bool__ __int__ __float__ __index__ __repr__ __format__ __hash__ element_size data_ptr "
    "is_mps.get is_xpu.get is_xla.get is_ipu.get _version.get untyped_storage is_same_size get_device is_inference "
    "is_vulkan.get is_maia.get is_cpu.get itemsize.get nbytes.get grad.set requires_grad.set is_signed is_conj is_neg "
    "_base.get _is_view is_pinned is_shared __deepcopy__ __reduce_ex__ numpy __array__ __contains__ "
    "equal allclose".split()
)


def name_of(func: Any) -> str:
    """A function's name: "linear", "__add__" as "add", an attribute as "T.get"."""
    name = getattr(func, "__name__", type(func).__name__)
    if name in ("__get__", "__set__"):
        owner = getattr(func, "__self__", None)
        return f"{getattr(owner, '__name__', '?')}.{name.strip('_')}"
    if name in ("__len__", "__bool__", "__int__", "__float__", "__index__", "__repr__", "__format__", "__hash__"):
        return name
    if name.startswith("__") and name.endswith("__") and name not in NO_OPERATION:
        name = name.strip("_")
        if name in ("radd", "rmul", "iadd", "imul", "isub", "itruediv"):
            return {"radd": "add", "rmul": "mul", "iadd": "add_", "imul": "mul_", "isub": "sub_"}.get(name, "div_")
        return {"truediv": "div", "rdiv": "rtruediv"}.get(name, name)
    return name
