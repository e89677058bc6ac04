package kernel

var definiteRules = map[string]rule{}
