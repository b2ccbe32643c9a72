"""Tables, figures, drawings and the report page: everything that turns numbers into something to look at."""
