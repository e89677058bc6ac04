package kernel

var orderRules = map[string]rule{}
