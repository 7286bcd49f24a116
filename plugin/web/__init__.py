"""The Flask application: thin views over the steps; no SQL, no model, no Huey in here."""
