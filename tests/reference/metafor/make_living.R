# Reference values of the living analyses, by metafor and lme4, from the inputs that are committed with their results.
# Run after `ipsevidence run --all --update`: Rscript make_living.R (writes living.json).
source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))), "writing.R"))
suppressPackageStartupMessages(library(lme4))

results <- file.path(here, "..", "..", "..", "analyses", "results")
pools <- c("primary", "primary-smi", "primary-beyond-smi", "any-vocational-outcome", "any-paid-work",
           "competitive-up-to-11-months", "augmented-vs-ips-any", "rate-trials-ips-18-months")
bivariate <- c("primary", "primary-smi")

inputs <- function(id) fromJSON(file.path(results, paste0(id, ".json")), simplifyVector = FALSE)
cell <- function(rows, name) vapply(rows, function(r) if (is.null(r$counts)) NA_real_ else as.numeric(r$counts[[name]]), 0)

effects <- function(document) {
  rows <- document$inputs
  measure <- document$spec$effect$measure
  if (!is.null(rows[[1]]$share)) {
    xi <- vapply(rows, function(r) as.numeric(r$share$events), 0)
    ni <- vapply(rows, function(r) as.numeric(r$share$n), 0)
    return(escalc(measure = measure, xi = xi, ni = ni))
  }
  a <- cell(rows, "events1"); n1 <- cell(rows, "n1"); c <- cell(rows, "events2"); n2 <- cell(rows, "n2")
  found <- escalc(measure = measure, ai = a, n1i = n1, ci = c, n2i = n2)
  printed <- which(is.na(a))  # entered with a printed ratio and its interval
  for (i in printed) {
    found$yi[i] <- log(rows[[i]]$estimate)
    found$vi[i] <- ((log(rows[[i]]$high) - log(rows[[i]]$low)) / (2 * qnorm(0.975)))^2
  }
  found
}

pool <- function(id) {
  document <- inputs(id)
  es <- effects(document)
  m <- rma(yi, vi, data = es, method = "REML", test = "knha", control = tight)
  adhoc <- rma(yi, vi, data = es, method = "REML", test = "adhoc", control = tight)
  list(studies = I(vapply(document$inputs, function(r) r$id, "")), yi = numbers(es$yi), vi = numbers(es$vi), k = m$k,
       estimate = number(m$beta), se = number(m$se), ci = numbers(c(m$ci.lb, m$ci.ub)),
       ci_adhoc = numbers(c(adhoc$ci.lb, adhoc$ci.ub)), tau2 = number(m$tau2), i2 = number(m$I2), q = number(m$QE))
}

control <- glmerControl(optimizer = "bobyqa", tolPwrss = 1e-10, optCtrl = list(rhoend = 1e-9, maxfun = 1e6),
                        check.conv.singular = "ignore", check.conv.grad = "ignore", check.conv.hess = "ignore")
joint <- function(id) {
  rows <- Filter(function(r) !is.null(r$counts), inputs(id)$inputs)
  k <- length(rows)
  d <- data.frame(study = factor(rep(seq_len(k), 2)), arm = rep(c(1, 0), each = k),
                  x = c(cell(rows, "events1"), cell(rows, "events2")), n = c(cell(rows, "n1"), cell(rows, "n2")))
  m <- glmer(cbind(x, n - x) ~ arm + (1 + arm | study), data = d, family = binomial, control = control)
  v <- VarCorr(m)$study
  list(k = k, control_logit = number(fixef(m)[["(Intercept)"]]), effect = number(fixef(m)[["arm"]]),
       control_variance = number(v[1, 1]), tau2 = number(v[2, 2]), covariance = number(v[1, 2]))
}

put(list(pools = setNames(lapply(pools, pool), pools), bivariate = setNames(lapply(bivariate, joint), bivariate)), "living.json")
