"""What users of `payman_sdk` may rely on, recorded in tests/public_api.txt, and whether a change of it breaks their programs.

    python -m scripts.surface            check: the record is what the code says, and what breaks is announced
    python -m scripts.surface --record   write the record anew

Public is what README, the guides and the changelog tell users to import, and nothing else:

- `payman_sdk`: the names in its `__all__`, and the three token stores that need an extra;
- `payman_sdk.errors`, `payman_sdk.types`, `payman_sdk.sandbox`: the names in their `__all__`;
- `payman_sdk.agents`, and its modules `langchain`, `mcp`, `openai_agents` and `pydantic_ai`: the names in their `__all__`, and the
  stores of operations that need an extra;
- `payman_sdk._client.sync`: `PaymanClient`, which programs written for version 1 import from there;
- `payman_sdk.token_stores.base`: what a store of one's own needs, and the stores in the modules that its docstring names;
- `payman_sdk.testing.plugin`: the fixtures, and what the plugin announces to pytest: settings (`pytest.ini…` in the record)
  and markers (`pytest.mark…`);
- `payman_sdk.testing.recording`: `Recorder` and `SecretLeakError`, for programs that use vcrpy without the plugin.

Of a class that is: how it is made, its public methods and attributes, what the language calls by syntax (`with`, `for`, `[]`, …),
and its bases. What it inherits from a class that is not public counts as its own. A name with an underscore is nobody's
business, and so are the values of defaults and constants. `payman_api` has a record of its names in
tests/payman_api.txt. It follows the API documents, and `scripts/regenerate --from` says what breaks in it. Environment variables and the commands are not
recorded either.

`public.toml` lists those modules and names. `reading` makes facts of code, which griffe reads, with `facts`,
`comparing` decides what breaks, with griffe's search for calls, `history` asks git and the changelog which code to compare with. All but
the last are pure.
"""
