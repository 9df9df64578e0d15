# Further estimators of tau2, with and without moderators, and profile likelihood: writes tau2.json

source(file.path(dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))), "writing.R"))

logs <- function(e) {
  e <- e[!is.na(e$yi), ]
  list(yi = as.numeric(e$yi), vi = as.numeric(e$vi))
}
bcg <- logs(escalc("RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg))
sets <- list(
  bcg = c(bcg, list(X = cbind(1, dat.bcg$ablat))),
  bcg_alloc = c(bcg, list(X = cbind(1, dat.bcg$ablat, dat.bcg$alloc == "random", dat.bcg$alloc == "systematic"))),
  bangertdrowns = with(subset(dat.bangertdrowns2004, !is.na(length)),
                       list(yi = as.numeric(yi), vi = vi, X = cbind(1, length, grade))),
  collins = c(logs(escalc("OR", ai = pre.xti, n1i = pre.nti, ci = pre.xci, n2i = pre.nci, data = dat.collins1985b)),
              list(X = cbind(1, dat.collins1985b$year))),
  raudenbush = with(dat.raudenbush1985, list(yi = as.numeric(yi), vi = vi, X = cbind(1, weeks))),
  hackshaw = with(dat.hackshaw1998, list(yi = as.numeric(yi), vi = vi, X = cbind(1, year)))
)
fit <- function(s, method, moderated, ...) {
  mods <- if (moderated) s$X else matrix(1, length(s$yi), 1)
  for (step in c(1, 0.5, 0.25)) {
    r <- tryCatch(suppressWarnings(rma(s$yi, s$vi, mods = mods, method = method, intercept = FALSE,
                                       control = c(tight, list(stepadj = step)), ...)), error = function(e) NULL)
    if (!is.null(r)) return(r)
  }
  stop("no convergence: ", method)
}
estimate <- function(r) list(tau2 = number(r$tau2), se = number(r$se.tau2))
one <- function(s, moderated) {
  methods <- c(dl = "DL", he = "HE", hs = "HS", sj = "SJ", ml = "ML", reml = "REML", eb = "EB", pm = "PM",
               hsk = "HSk", pmm = "PMM")
  he <- max(0, fit(s, "HE", moderated)$tau2)
  dl <- fit(s, "DL", moderated)$tau2
  profile <- function(method) {
    b <- suppressWarnings(confint(fit(s, method, moderated), type = "PL", control = list(tol = 1e-13)))
    as.numeric(b$random["tau^2", 2:3])
  }
  qp <- suppressWarnings(confint(fit(s, "DL", moderated), control = list(tol = 1e-14, tau2.max = 1e6, maxiter = 10000)))
  list(
    estimators = c(
      lapply(methods, function(m) estimate(fit(s, m, moderated))),
      list(ca2 = estimate(fit(s, "GENQ", moderated, weights = 1 / (s$vi + he))),
           dl2 = estimate(fit(s, "GENQ", moderated, weights = 1 / (s$vi + dl))),
           genq_root = estimate(fit(s, "GENQ", moderated, weights = 1 / sqrt(s$vi)))),
      if (he > 0) list(sj2 = estimate(suppressWarnings(
        rma(s$yi, s$vi, mods = if (moderated) s$X else matrix(1, length(s$yi), 1), intercept = FALSE, method = "SJ",
            control = list(tau2.init = he)))))
    ),
    intervals = list("q-profile" = as.numeric(qp$random["tau^2", 2:3]),
                     "profile-ml" = profile("ML"), "profile-reml" = profile("REML"))
  )
}
put(list(
  calls = list(fit = "rma(yi, vi, mods = X, intercept = FALSE, method =, control = list(threshold = 1e-13, tol = 1e-13, maxiter = 10000))",
               profile = 'confint(type = "PL", control = list(tol = 1e-13))'),
  sets = sets,
  plain = lapply(sets, one, FALSE),
  moderated = lapply(sets, one, TRUE)
), "tau2.json")
