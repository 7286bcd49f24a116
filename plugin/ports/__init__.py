"""What the steps need from the outside, as protocols; adapters implement them, `plugin.assemble` chooses.

`host` who owns the photos · `vision` pictures and face models · `index` nearest embeddings · `catalogue` the truth ·
`work` nudging the workers. One contract test suite per port runs over every adapter and its fake (tests/contract/).
"""
