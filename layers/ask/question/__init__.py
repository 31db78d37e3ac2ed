"""The planner's questions: what may be asked, how it is answered from the layers, and how it reads in plain words."""
