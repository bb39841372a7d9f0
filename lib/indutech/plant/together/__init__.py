"""All of the plant on one machine: what `indutech plant up`, `status` and `down` do.

`parts` declares what runs: each part is an embedded server or a program under a supervisor, held by a lease of `up`.
`up` starts them in order and ends them in order, `state` looks at them from any process, `proofs` waits until all is
stored and proves it, `ending` is `down`, `shown` makes tables. `streams` is the program that stores both products.
"""

__all__ = ["document", "ending", "measured", "parts", "proofs", "shown", "state", "up"]
