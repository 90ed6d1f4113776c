module seaworthy.test/e2e/pki

go 1.26.0
