"""The drawings of the platform, made from the model; the same model gives the same bytes.

`render` is for others. `overview`, `network`, `poc` and `failure` draw one view each, with `canvas` (boxes, arrows and
SVG), `routes` (paths of arrows), `icons` and `style` (colours and lines).
"""

__all__ = ["render"]
