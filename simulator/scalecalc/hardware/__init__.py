"""Devices that train models: what they compute, hold and draw, from their makers' data sheets."""

from scalecalc.hardware.devices import PRECISIONS, UTILISATION, Device, device, devices

__all__ = ["PRECISIONS", "UTILISATION", "Device", "device", "devices"]
