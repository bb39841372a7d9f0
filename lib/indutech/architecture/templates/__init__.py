"""The model as CloudFormation: plain dictionaries, a module for each stack. Nothing was ever deployed from them.

`stacks.stacks` makes them, `lint.findings` looks for mistakes: cfn-lint's, and those that it does not see.
"""

__all__ = ["lint", "parts", "stacks"]
