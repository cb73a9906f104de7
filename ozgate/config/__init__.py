"""Every knob, declared once; where their values come from. Imports nothing of ozgate."""
