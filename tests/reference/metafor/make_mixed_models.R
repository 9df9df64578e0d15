# Mixed models of the counts of both arms, by lme4: writes mixed_models.json. Needs pooling.json

source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))), "writing.R"))
library(lme4)
versions$lme4 <- as.character(packageVersion("lme4"))

sets <- c("nielweise2007", "bcg", "collins1985a", "hine1989", "li2007", "linde2005", "yusuf1985_6", "lee2004", "graves2010")
tables <- fromJSON(file.path(here, "pooling.json"))$counts[sets]
control <- glmerControl(optimizer = "bobyqa", tolPwrss = 1e-10, optCtrl = list(rhoend = 1e-9, maxfun = 1e6),
                        check.conv.singular = "ignore", check.conv.grad = "ignore", check.conv.hess = "ignore")

long <- function(t, drop00) {
  a <- t$ai; n1 <- t$n1i; c <- t$ci; n2 <- t$n2i
  keep <- !drop00 | ((a + c) > 0 & (a + c) < n1 + n2)
  k <- sum(keep)
  data.frame(study = factor(rep(seq_len(k), 2)), arm = rep(c(1, 0), each = k), half = rep(c(0.5, -0.5), each = k),
             x = c(a[keep], c[keep]), n = c(n1[keep], n2[keep]))
}
fit <- function(formula, d, nodes = 1) glmer(formula, data = d, family = binomial, nAGQ = nodes, control = control)
common <- function(m, name, tau2, ...) {
  list(estimate = number(fixef(m)[[name]]), se = number(sqrt(vcov(m)[name, name])), tau2 = number(tau2),
       log_likelihood = number(logLik(m)), ...)
}
fixed_studies <- function(t) {
  m <- fit(cbind(x, n - x) ~ -1 + study + half + (-1 + half | study), long(t, TRUE), nodes = 25)
  found <- common(m, "half", VarCorr(m)[[1]][1, 1])
  found[names(found) != "log_likelihood"]  # lme4's has another constant here
}
random_studies <- function(t) {
  m <- fit(cbind(x, n - x) ~ half + (1 | study) + (-1 + half | study), long(t, TRUE))
  v <- as.data.frame(VarCorr(m))
  common(m, "half", v$vcov[v$var1 == "half"], intercept = number(fixef(m)[["(Intercept)"]]),
         sigma2 = number(v$vcov[v$var1 == "(Intercept)"]))
}
control_risk <- function(t) {
  m <- fit(cbind(x, n - x) ~ arm + (1 + arm | study), long(t, FALSE))
  v <- VarCorr(m)$study
  common(m, "arm", v[2, 2], control_logit = number(fixef(m)[["(Intercept)"]]),
         control_logit_se = number(sqrt(vcov(m)[1, 1])), control_variance = number(v[1, 1]),
         covariance = number(v[1, 2]))
}
put(list(
  calls = list(um.fs = "glmer(cbind(x, n - x) ~ -1 + study + half + (-1 + half | study), binomial, nAGQ = 25)",
               um.rs = "glmer(cbind(x, n - x) ~ half + (1 | study) + (-1 + half | study), binomial, nAGQ = 1)",
               control_risk = "glmer(cbind(x, n - x) ~ arm + (1 + arm | study), binomial, nAGQ = 1)"),
  fits = lapply(tables, function(t) list(um.fs = fixed_studies(t), um.rs = random_studies(t), control_risk = control_risk(t)))
), "mixed_models.json")
