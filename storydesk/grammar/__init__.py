"""Harper in process and LanguageTool beside it; both give domain findings. Importing this room is cheap."""
