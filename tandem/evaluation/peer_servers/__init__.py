"""Other servers with the same models and the same steps as ours, to be measured beside it.

`steps` are the ensemble `id_card` as plain calls. A module each puts them behind another server:
`bare_server` (one process and Python's own HTTP), `mosec_server`, `litserve_server`; `rapidocr_server` is
another reader altogether. `environment` installs what they need, `process` starts and ends them, `client`
asks them, and `turns` measures all of them in turns.
"""
