"""Visual Turing test: frozen studies, blinded reading, statistics."""
