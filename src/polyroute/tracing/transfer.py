"""To a device and back without waiting, where the device works on by itself (CUDA)."""

import torch
from torch import Tensor


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """A host tensor on a device; the host does not wait for a GPU to take it."""
    if device.type == "cuda":
        # Memory that is not pinned would be copied in step with the GPU's other work.
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


class ToHost:
    """A tensor on its way to the host."""

    def __init__(self, tensor: Tensor):
        """Start the transfer after the work that makes the tensor; does not wait for either."""
        self._event: torch.cuda.Event | None = None
        self._tensor = tensor
        if tensor.device.type == "cuda":
            self._tensor = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
            self._tensor.copy_(tensor, non_blocking=True)
            self._event = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._event.record(torch.cuda.current_stream(tensor.device))

    def wait(self) -> Tensor:
        """The tensor on the host, once it is there."""
        if self._event is not None:
            self._event.synchronize()
        return self._tensor.cpu()
