module seaworthy.test/e2e/tokenserve

go 1.26.0
