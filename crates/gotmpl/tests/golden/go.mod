module gotmpl.test/golden

go 1.26
