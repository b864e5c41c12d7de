"""GPT-2 in ONNX Runtime: it writes, and it says how surprising a text is.

Importing ``storydesk.inference.engine`` is cheap: ONNX Runtime, numpy and tokenizers are loaded with the first model.
"""
