module seaworthy.test/e2e/oidcserve

go 1.26.0
