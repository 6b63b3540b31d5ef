"""The audit trail's pure core: canonical form, event schema, seal, Merkle tree, checkpoints and verification.

Nothing here reads a clock, a file or a key: times, bytes, signers and verifiers are handed in. The record it makes is
tamper-evident, never tamper-proof: whoever owns the machine can destroy it, but not change it unnoticed.
"""
