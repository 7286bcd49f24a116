"""Face models on ONNX Runtime: packs, where their files come from, sessions, detectors, embedders."""
