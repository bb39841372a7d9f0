"""The drawings of the platform, from the model: the same model gives the same bytes.

`render` is the way in. `canvas` places boxes and arrows, `style` says how they look, and each view has a module.
"""

__all__ = ["render"]
