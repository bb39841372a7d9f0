"""The drawings of the platform, made from the model; the same model gives the same bytes.

`render` is for others. Each view has a module: `overview`, `network`, `poc`, `failure`, `ways`, `threats`, `data` and
`waves`; they share `canvas` (boxes, arrows, SVG), `routes` (paths of arrows), `icons` and `style` (colours and lines).
"""

__all__ = ["render"]
