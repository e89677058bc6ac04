package kernel

var orbitRules = map[string]rule{}
