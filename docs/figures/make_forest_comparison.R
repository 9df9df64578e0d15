# The forest plot that metafor draws by default, of the nine trials in analyses/bond-2019-nine-rcts.yaml.
# From the root of the repository: Rscript docs/figures/make_forest_comparison.R

suppressPackageStartupMessages(library(metafor))

trials <- read.csv(text = "
study,year,group,ai,n1i,ci,n2i
Davis 2012,2012,psychiatric,32,42,12,43
Davis 2018,2018,psychiatric,187,271,154,270
Hellstr\u00f6m 2017,2017,psychiatric,72,162,62,164
Reme 2015,2015,psychiatric,277,626,204,549
Bejerholm 2017,2017,psychiatric,14,33,1,28
Reme 2019,2019,psychiatric,83,227,50,183
Lones 2017,2017,substance use,11,22,1,23
LePage 2016,2016,substance use,21,46,8,38
Ottomanelli 2012,2012,musculoskeletal,21,81,8,76
")

data <- escalc("OR", ai = ai, n1i = n1i, ci = ci, n2i = n2i, data = trials, slab = study)
fit <- rma(yi, vi, data = data, method = "DL")

png("docs/images/forest-comparison/metafor-default.png", width = 1063, height = 680, res = 150)
forest(fit)
invisible(dev.off())

print(packageVersion("metafor"))
print(predict(fit, transf = exp, digits = 4))
print(leave1out(fit, transf = exp, digits = 4))
print(cumul(fit, order = data$year, transf = exp, digits = 4))
