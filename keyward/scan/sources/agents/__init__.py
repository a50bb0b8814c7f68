"""Where AI agents and their tools keep text: one small module a tool, each with its `TOOLS`."""
