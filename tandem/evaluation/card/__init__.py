"""The evaluation's own drawing of a resident identity card; it shares no code with training's."""
