DEMOS = {}
