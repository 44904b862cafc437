"""Speech to text: a recording is cut at its pauses, its windows are heard two by two, segments come back."""
