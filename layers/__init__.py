"""The city: what each layer is, where it is kept, who may see it, how it is asked and how it changes."""
